import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";

/** Holds the place of what is on its way, as high as that will be. */
export function Loading({ what, minHeight = 240 }: { what: string; minHeight?: number }) {
  return (
    <div style={{ minHeight }} role="status">
      <Box textAlign="center" padding="xxl" color="text-status-inactive">
        <Spinner /> Loading {what}
      </Box>
    </div>
  );
}
