import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMemo, useState } from "react";
import { lines, pieces, pretty, shownAtFirst, size } from "./payload";
import css from "./webhooks.module.css";

/** The payload of a delivery, laid out once it is asked for. */
export function Payload({ text, name }: { text: string; name: string }) {
  const [open, setOpen] = useState(false);
  return (
    <ExpandableSection variant="container" headerText="Payload" headerCounter={`(${size(text.length)})`} expanded={open} onChange={({ detail }) => setOpen(detail.expanded)}>
      {open && <Text text={text} name={name} />}
    </ExpandableSection>
  );
}

function Text({ text, name }: { text: string; name: string }) {
  const [all, setAll] = useState(false);
  const full = useMemo(() => pretty(text), [text]);
  const shown = useMemo(() => pieces(all ? full : full.slice(0, shownAtFirst)), [all, full]);
  const cut = !all && full.length > shownAtFirst;
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="xs">
        <Button iconName="download" onClick={() => download(text, `${name}.json`)}>
          Download
        </Button>
        {cut && <Button onClick={() => setAll(true)}>Show all</Button>}
      </SpaceBetween>
      <pre className={css["payload"]} tabIndex={0} role="region" aria-label="Payload">
        {shown.map((piece, i) => (
          <div key={i} style={{ contentVisibility: "auto", containIntrinsicSize: `auto ${lines(piece) * 18}px` }}>
            {piece}
          </div>
        ))}
      </pre>
      {cut && (
        <Box color="text-body-secondary">
          These are the first {size(shownAtFirst)} of {size(full.length)}.
        </Box>
      )}
    </SpaceBetween>
  );
}

function download(text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
