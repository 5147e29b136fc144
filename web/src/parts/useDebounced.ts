import { useEffect, useState } from "react";

/** The value as it was when it last stayed the same for delay milliseconds. */
export function useDebounced<T>(value: T, delay = 350): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), delay);
    return () => clearTimeout(timer);
  }, [value, delay]);
  return rested;
}
