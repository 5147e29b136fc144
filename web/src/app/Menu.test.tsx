import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Menu } from "./Menu";

function show(chosen: string) {
  const choose = vi.fn<(text: string) => void>();
  render(
    <>
      <Menu icon="settings" name="Display" items={["Light", "Dark", "Like the system"].map((text) => ({ text, checked: text === chosen, onChoose: () => choose(text) }))} />
      <button>Elsewhere</button>
    </>,
  );
  return { choose, button: screen.getByRole("button", { name: "Display" }), user: userEvent.setup() };
}

const focused = () => document.activeElement?.textContent;

test("keys open a menu at what is chosen, go round in it, and choose", async () => {
  const { choose, button, user } = show("Dark");
  await user.tab();
  await user.keyboard("{ArrowDown}");
  expect(button.getAttribute("aria-expanded")).toBe("true");
  expect(focused()).toBe("Dark");
  await user.keyboard("{ArrowDown}{ArrowDown}");
  expect(focused()).toBe("Light");
  await user.keyboard("{ArrowUp}");
  expect(focused()).toBe("Like the system");
  await user.keyboard("{Home}{Enter}");
  expect(choose.mock.calls).toEqual([["Light"]]);
  expect(screen.queryByRole("menu")).toBeNull();
  expect(document.activeElement).toBe(button);
});

test("a menu closes at Escape, beside a click elsewhere, and when the focus leaves it", async () => {
  const { choose, button, user } = show("Dark");
  await user.click(button);
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("menu")).toBeNull();
  expect(document.activeElement).toBe(button);
  await user.click(button);
  await user.click(screen.getByRole("button", { name: "Elsewhere" }));
  expect(screen.queryByRole("menu")).toBeNull();
  await user.click(button);
  await user.tab();
  expect(screen.queryByRole("menu")).toBeNull();
  expect(choose).not.toHaveBeenCalled();
});
