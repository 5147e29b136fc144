import Container from "@cloudscape-design/components/container";
import type { ReactNode } from "react";
import { Loading } from "./Loading";
import styles from "./plainTable.module.css";

export interface PlainColumn<T> {
  readonly id: string;
  readonly header: string;
  /** The first column names its row. */
  readonly cell: (item: T) => ReactNode;
}

/**
 * A table that only shows. Cloudscape's can sort, choose, resize and more, which
 * takes a page as long to get ready as all the rest of it: this one is for the
 * page that people open first.
 */
export function PlainTable<T>({
  label,
  header,
  columns,
  items,
  keyOf,
  empty,
  rows,
  footer,
}: {
  label: string;
  header: ReactNode;
  columns: readonly PlainColumn<T>[];
  /** Undefined while they are on their way. */
  items: readonly T[] | undefined;
  keyOf: (item: T) => string;
  empty: ReactNode;
  /** How many there mostly are, so that their place is kept. */
  rows: number;
  footer?: ReactNode;
}) {
  return (
    <Container header={header} footer={footer} disableContentPaddings>
      {items === undefined ? (
        <Loading what={label.toLowerCase()} minHeight={rows * rowHeight} />
      ) : items.length === 0 ? (
        empty
      ) : (
        <div className={styles["frame"]}>
          <table className={styles["table"]} aria-label={label}>
            <thead>
              <tr>
                {columns.map((c) => (
                  <th key={c.id} scope="col">
                    {c.header}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <tr key={keyOf(item)}>
                  {columns.map((c, i) =>
                    i === 0 ? (
                      <th key={c.id} scope="row">
                        {c.cell(item)}
                      </th>
                    ) : (
                      <td key={c.id}>{c.cell(item)}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Container>
  );
}

/** As in plainTable.module.css. */
const rowHeight = 41;
