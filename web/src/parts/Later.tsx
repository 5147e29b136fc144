import { startTransition, useEffect, useRef, useState, type ReactNode } from "react";

/** How long what nobody sees leaves the page to what is in sight, in milliseconds. */
const rest = 700;

/**
 * Shows what is far down the page once more than its edge is in sight, or once the
 * rest of the page has had time to get ready. Until then it keeps its place.
 */
export function Later({ height, children }: { height: number; children: ReactNode }) {
  const [shown, setShown] = useState(typeof IntersectionObserver === "undefined");
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (shown || place.current === null) return;
    const show = () => startTransition(() => setShown(true));
    const timer = setTimeout(show, rest);
    const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && show(), { rootMargin: "0px 0px -40px" });
    observer.observe(place.current);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [shown]);
  return shown ? children : <div ref={place} style={{ minHeight: height }} />;
}
