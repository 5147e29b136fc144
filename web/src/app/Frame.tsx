import AppLayout from "@cloudscape-design/components/app-layout";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import TopNavigation from "@cloudscape-design/components/top-navigation";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { signOut } from "../session/keys";
import { useSession } from "../session/useSession";
import { ErrorBoundary } from "./ErrorBoundary";
import icon from "./icon.svg";
import { href, paths, useFollow } from "./navigate";
import { Notifications } from "./notifications";
import { setTheme, useTheme } from "./theme";
import { useNavigation } from "./useNavigation";

/** What stands around every page: the top bar, the navigation, the notices. */
export function Frame({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  const follow = useFollow();
  const session = useSession();
  const { theme } = useTheme();
  const navigation = useNavigation();
  const section = location.split("/")[1] ?? "";
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
      <div id="top">
        <TopNavigation
          identity={{ href: href("/"), title: "Slipway", logo: { src: icon, alt: "" }, onFollow: follow }}
          utilities={[
            {
              type: "menu-dropdown",
              iconName: "settings",
              ariaLabel: "Display",
              title: "Display",
              items: [
                { id: "system", text: "Like the system", itemType: "checkbox", checked: theme === "system" },
                { id: "light", text: "Light", itemType: "checkbox", checked: theme === "light" },
                { id: "dark", text: "Dark", itemType: "checkbox", checked: theme === "dark" },
              ],
              onItemClick: ({ detail }) => {
                if (detail.id === "light" || detail.id === "dark" || detail.id === "system") setTheme(detail.id);
              },
            },
            {
              type: "menu-dropdown",
              iconName: "user-profile",
              text: session?.session.user ?? "",
              description: session === undefined ? "" : `Region ${session.region}`,
              ariaLabel: "Account",
              items: [
                { id: "sessions", text: "Sessions", href: href(paths.sessions()) },
                { id: "out", text: "Sign out" },
              ],
              onItemFollow: follow,
              onItemClick: ({ detail }) => {
                if (detail.id === "out") void signOut();
              },
            },
          ]}
        />
      </div>
      <AppLayout
        headerSelector="#top"
        toolsHide
        navigationOpen={navigation.open}
        onNavigationChange={({ detail }) => navigation.change(detail.open)}
        ariaLabels={{ navigation: "Pages", navigationClose: "Close the list of pages", navigationToggle: "Open the list of pages", notifications: "Notifications" }}
        notifications={<Notifications />}
        navigation={
          <SideNavigation
            header={{ text: "Slipway", href: href("/") }}
            activeHref={href(section === "" ? "/" : `/${section}`)}
            onFollow={follow}
            items={[
              { type: "link", text: "Home", href: href(paths.home()) },
              { type: "link", text: "Build projects", href: href(paths.projects()) },
              { type: "link", text: "Build history", href: href(paths.builds()) },
              { type: "link", text: "Source providers", href: href(paths.sourceProviders()) },
              { type: "link", text: "Webhook deliveries", href: href(paths.deliveries()) },
            ]}
          />
        }
        content={<ErrorBoundary key={location}>{children}</ErrorBoundary>}
      />
    </>
  );
}
