let asked: (() => boolean) | undefined;

/**
 * Has steps back and forward go by whoever guards the page. It has to be called
 * before anything is rendered: listeners are called in the order in which they
 * came, and those of the routes would show the other page first.
 */
export function watchHistory(): void {
  window.addEventListener("popstate", (e) => {
    if (asked?.() === true) e.stopImmediatePropagation();
  });
}

/** Asks guard at each step back or forward, which then goes unnoticed if it returns true; until the returned function is called. */
export function guardHistory(guard: () => boolean): () => void {
  asked = guard;
  return () => {
    if (asked === guard) asked = undefined;
  };
}
