import Tabs, { type TabsProps } from "@cloudscape-design/components/tabs";
import { useEffect, useRef } from "react";

/**
 * Tabs of which the chosen one is in sight also where not all of them fit:
 * Cloudscape goes to it before it knows that they do not.
 */
export function PageTabs(props: TabsProps) {
  const place = useRef<HTMLDivElement>(null);
  const { activeTabId, tabs } = props;
  useEffect(() => {
    const list = place.current?.querySelector('[role="tablist"]');
    if (list === null || list === undefined || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(() => {
      const tab = list.querySelector('[aria-selected="true"]');
      if (tab === null) return;
      const [at, frame] = [tab.getBoundingClientRect(), list.getBoundingClientRect()];
      if (at.left < frame.left || at.right > frame.right) list.scrollLeft += at.left - frame.left - (frame.width - at.width) / 2;
    });
    observer.observe(list); // which tells of its width at once, and of each that follows
    return () => observer.disconnect();
  }, [activeTabId, tabs.length]);
  return (
    <div ref={place}>
      <Tabs {...props} />
    </div>
  );
}
