import { useCallback, useEffect, useRef, useState } from "react";

/**
 * The fields that the user has been at, and is to be told what is wrong with.
 * What is told appears below its field and moves the rest of the page, so a field
 * that is left by pressing a button waits until the button is let go, which else
 * would slip away under the pointer; and one that was just typed into waits until
 * what is known is current, which else would tell of what stood there before.
 */
export function useTouched(current: boolean): { touched: ReadonlySet<string>; touch: (member: string) => void } {
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [touched, setTouched] = useState(left);
  const pressed = useRef(false);
  const waiting = useRef<string[]>([]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const press = () => {
      pressed.current = true;
    };
    const release = () => {
      pressed.current = false;
      clearTimeout(timer);
      timer = setTimeout(() => {
        const members = waiting.current.splice(0);
        setLeft((now) => including(now, members));
      }); // after the click that follows
    };
    const gone = ["pointerup", "pointercancel", "dragend"];
    window.addEventListener("pointerdown", press, true);
    for (const type of gone) window.addEventListener(type, release, true);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pointerdown", press, true);
      for (const type of gone) window.removeEventListener(type, release, true);
    };
  }, []);

  const touch = useCallback((member: string) => {
    if (pressed.current) waiting.current.push(member);
    else setLeft((now) => including(now, [member]));
  }, []);

  if (current && touched !== left) setTouched(left);
  return { touched, touch };
}

function including(set: ReadonlySet<string>, members: readonly string[]): ReadonlySet<string> {
  return members.every((m) => set.has(m)) ? set : new Set([...set, ...members]);
}
