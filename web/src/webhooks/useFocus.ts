import { useCallback, useEffect, useMemo, useRef } from "react";

interface Focusable {
  focus: () => void;
}

/** Moves the focus to what is only there after the next rendering. */
export interface Focus {
  /** For the ref of what may be given the focus. */
  readonly ref: (key: string) => (element: Focusable | null) => void;
  /** Gives it the focus once it is there. */
  readonly next: (key: string) => void;
}

export function useFocus(): Focus {
  const elements = useRef(new Map<string, Focusable>());
  const wanted = useRef<string>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const element = elements.current.get(wanted.current);
    if (element === undefined) return;
    wanted.current = undefined;
    element.focus();
  });
  const ref = useCallback(
    (key: string) => (element: Focusable | null) => {
      if (element === null) elements.current.delete(key);
      else elements.current.set(key, element);
    },
    [],
  );
  const next = useCallback((key: string) => {
    wanted.current = key;
  }, []);
  return useMemo(() => ({ ref, next }), [ref, next]);
}
