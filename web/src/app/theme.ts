import { applyMode, Mode } from "@cloudscape-design/global-styles";
import { useSyncExternalStore } from "react";

/** What the user chose; system follows the browser. */
export type Theme = "light" | "dark" | "system";

const storageKey = "slipway.theme";
const darkSystem = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme {
  const kept = localStorage.getItem(storageKey);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Whether the console is dark now. */
export function isDark(): boolean {
  return chosen() === "dark" || (chosen() === "system" && darkSystem.matches);
}

/** Applies the user's choice, also when the system's changes later. */
export function startTheme(): void {
  const apply = () => {
    applyMode(isDark() ? Mode.Dark : Mode.Light);
    document.documentElement.style.colorScheme = isDark() ? "dark" : "light";
    for (const listener of listeners) listener();
  };
  darkSystem.addEventListener("change", apply);
  apply();
  changed = apply;
}

let changed = () => {};

/** Keeps the user's choice and applies it. */
export function setTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(storageKey);
  else localStorage.setItem(storageKey, theme);
  changed();
}

/** The user's choice and whether that is dark now. */
export function useTheme(): { theme: Theme; dark: boolean } {
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return { theme: useSyncExternalStore(subscribe, chosen), dark: useSyncExternalStore(subscribe, isDark) };
}
