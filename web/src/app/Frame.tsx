import Button, { type ButtonProps } from "@cloudscape-design/components/button";
import { useEffect, useRef, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { signOut } from "../session/keys";
import { useSession } from "../session/useSession";
import { ErrorBoundary } from "./ErrorBoundary";
import styles from "./frame.module.css";
import icon from "./icon.svg";
import { Menu } from "./Menu";
import { paths, useGo } from "./navigate";
import { Notifications } from "./notifications";
import { setTheme, useTheme, type Theme } from "./theme";
import { useNavigation } from "./useNavigation";

const pages = [
  ["Home", paths.home()],
  ["Build projects", paths.projects()],
  ["Build history", paths.builds()],
  ["Test and coverage reports", paths.reports()],
  ["Source providers", paths.sourceProviders()],
  ["Webhook deliveries", paths.deliveries()],
  ["Parameters and secrets", paths.secrets()],
] as const;

const themes: readonly (readonly [Theme, string])[] = [
  ["system", "Like the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/**
 * What stands around every page: the top bar, the list of pages, the notices.
 * Cloudscape's own layout, top bar and side navigation can do much that is not
 * needed here, and take longer to show than the home page inside them.
 */
export function Frame({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  const { open, over, change } = useNavigation();
  const opener = useRef<ButtonProps.Ref>(null);
  const closer = useRef<ButtonProps.Ref>(null);
  const moved = useRef(false);
  const toggle = (to: boolean) => {
    moved.current = true;
    change(to);
  };
  // Whoever opens or closes the list goes on from the button that undoes it.
  useEffect(() => {
    if (moved.current) (open ? closer : opener).current?.focus();
    moved.current = false;
  }, [open]);

  return (
    <>
      <a
        className="skip"
        href="#page-title"
        onClick={(e) => {
          e.preventDefault(); // the address stays that of the page
          document.getElementById("page-title")?.focus();
        }}
      >
        Skip to the page
      </a>
      <TopBar />
      <div className={styles["below"]}>
        {open && (
          <nav
            aria-label="Pages"
            className={over ? `${styles["pages"] ?? ""} ${styles["over"] ?? ""}` : styles["pages"]}
            onKeyDown={(e) => {
              if (over && e.key === "Escape") toggle(false);
            }}
          >
            <div className={styles["pagesHead"]}>
              <Link href={paths.home()}>Slipway</Link>
              <Button ref={closer} variant="icon" iconName="angle-left" ariaLabel="Close the list of pages" onClick={() => toggle(false)} />
            </div>
            <ul>
              {pages.map(([text, path]) => (
                <li key={path}>
                  <Link
                    href={path}
                    aria-current={location.split("/")[1] === path.slice(1) ? "page" : undefined}
                    onClick={() => {
                      if (!over) return;
                      if (location === path) toggle(false);
                      else change(false); // the page that comes takes the focus
                    }}
                  >
                    {text}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
        )}
        {!open && (
          <div className={styles["opener"]}>
            <Button ref={opener} variant="icon" iconName="menu" ariaLabel="Open the list of pages" onClick={() => toggle(true)} />
          </div>
        )}
        <div className={styles["page"]} inert={over}>
          <Notifications />
          <main>
            <ErrorBoundary key={location}>{children}</ErrorBoundary>
          </main>
        </div>
      </div>
    </>
  );
}

function TopBar() {
  const session = useSession();
  const { theme } = useTheme();
  const go = useGo();
  return (
    <header className={styles["bar"]}>
      <Link href={paths.home()} className={styles["identity"]}>
        <img src={icon} alt="" width={32} height={32} />
        Slipway
      </Link>
      <Menu icon="settings" name="Display" items={themes.map(([id, text]) => ({ text, checked: theme === id, onChoose: () => setTheme(id) }))} />
      <Menu
        icon="user-profile"
        name="Account"
        text={session?.session.user ?? ""}
        description={`Region ${session?.region ?? ""}`}
        items={[
          { text: "Sessions", onChoose: () => go(paths.sessions()) },
          { text: "Sign out", onChoose: () => void signOut() },
        ]}
      />
    </header>
  );
}
