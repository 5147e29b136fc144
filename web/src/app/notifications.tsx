import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, lazy, Suspense, useCallback, useContext, useMemo, useState, type ReactNode } from "react";

const Flashbar = lazy(() => import("@cloudscape-design/components/flashbar"));

type Notice = Pick<FlashbarProps.MessageDefinition, "type" | "header" | "content" | "action" | "loading">;

interface Notifications {
  readonly notify: (notice: Notice) => void;
  readonly items: readonly FlashbarProps.MessageDefinition[];
}

const Context = createContext<Notifications>({ notify: () => undefined, items: [] });

/** Keeps what is shown above every page until it is dismissed. */
export function NotificationProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<readonly FlashbarProps.MessageDefinition[]>([]);
  const notify = useCallback((notice: Notice) => {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    const dismiss = () => setItems((all) => all.filter((i) => i.id !== id));
    setItems((all) => [{ ...notice, id, dismissible: true, dismissLabel: "Dismiss message", onDismiss: dismiss }, ...all].slice(0, 4));
  }, []);
  const value = useMemo(() => ({ notify, items }), [notify, items]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** Returns the function that shows a notice above the page. */
export function useNotify(): (notice: Notice) => void {
  return useContext(Context).notify;
}

/** The notices. */
export function Notifications() {
  const { items } = useContext(Context);
  if (items.length === 0) return null;
  return (
    <section aria-label="Notifications" style={{ marginBlockEnd: 12 }}>
      <Suspense>
        <Flashbar items={items} stackItems />
      </Suspense>
    </section>
  );
}
