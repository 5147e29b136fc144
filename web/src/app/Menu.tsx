import Icon, { type IconProps } from "@cloudscape-design/components/icon";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import styles from "./frame.module.css";

export interface MenuItem {
  readonly text: string;
  /** Of one of several that exclude each other: whether it is the one. */
  readonly checked?: boolean;
  readonly onChoose: () => void;
}

/** A menu of the top bar, below its button. */
export function Menu({ icon, name, text, description, items }: { icon: IconProps.Name; name: string; text?: string; description?: string; items: readonly MenuItem[] }) {
  const [open, setOpen] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const choices = () => [...(whole.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];

  useEffect(() => {
    if (!open) return;
    const all = whole.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [];
    ([...all].find((e) => e.getAttribute("aria-checked") === "true") ?? all[0])?.focus();
    // Some browsers give no focus to what is clicked, so that none is lost either.
    const outside = (e: PointerEvent) => {
      if (e.target instanceof Node && whole.current?.contains(e.target) === false) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (!open) {
      if (e.key !== "ArrowDown") return;
      e.preventDefault();
      setOpen(true);
      return;
    }
    if (e.key === "Escape") close();
    const all = choices();
    const now = all.findIndex((one) => one === document.activeElement);
    const next = { ArrowDown: now + 1, ArrowUp: now - 1 + all.length, Home: 0, End: all.length - 1 }[e.key];
    if (next === undefined) return;
    e.preventDefault();
    all[next % all.length]?.focus();
  };

  return (
    <div
      ref={whole}
      className={styles["menu"]}
      onKeyDown={onKeyDown}
      onBlur={(e) => {
        if (e.relatedTarget !== null && !e.currentTarget.contains(e.relatedTarget)) setOpen(false);
      }}
    >
      <button
        ref={button}
        type="button"
        className={styles["menuButton"]}
        aria-label={text === undefined ? name : `${name}: ${text}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <Icon name={icon} />
        {text !== undefined && (
          <>
            <span className={styles["menuText"]}>{text}</span>
            <Icon name={open ? "caret-up-filled" : "caret-down-filled"} />
          </>
        )}
      </button>
      {open && (
        <div className={styles["choices"]}>
          {description !== undefined && <div id={`${id}about`} className={styles["menuDescription"]}>{description}</div>}
          <div id={id} role="menu" aria-label={name} aria-describedby={description === undefined ? undefined : `${id}about`}>
            {items.map((item) => (
              <button
                key={item.text}
                type="button"
                role={item.checked === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={item.checked}
                tabIndex={-1}
                className={styles["choice"]}
                onClick={() => {
                  close();
                  item.onChoose();
                }}
              >
                {item.checked !== undefined && <span className={styles["check"]}>{item.checked && <Icon name="check" />}</span>}
                {item.text}
              </button>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}
