import { AppButton } from "../parts/AppButton";
import { Empty } from "../parts/Empty";
import { Page } from "../parts/Page";
import { paths } from "./navigate";

/** An address that no page has. */
export default function NotFound() {
  return (
    <Page title="Page not found">
      <Empty title="There is no page at this address" action={<AppButton to={paths.home()}>Go to the home page</AppButton>}>
        A link may be cut off, or of another version of Slipway.
      </Empty>
    </Page>
  );
}
