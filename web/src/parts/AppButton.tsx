import Button, { type ButtonProps } from "@cloudscape-design/components/button";
import { href, useFollow } from "../app/navigate";

/** A button that leads to a page of the console. */
export function AppButton({ to, ...rest }: Omit<ButtonProps, "href" | "onFollow" | "external"> & { to: string }) {
  const follow = useFollow();
  return <Button {...rest} href={href(to)} onFollow={follow} />;
}
