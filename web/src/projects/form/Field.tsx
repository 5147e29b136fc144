import FormField, { type FormFieldProps } from "@cloudscape-design/components/form-field";
import type { ReactNode } from "react";
import { idOf, labelOf } from "../findings";
import { useProjectForm } from "./context";

/** A field for a member of the request, with what the server finds of it. */
export function Field({
  member,
  optional = false,
  children,
  ...rest
}: Omit<FormFieldProps, "label" | "errorText" | "warningText"> & { member: string; optional?: boolean; children: ReactNode }) {
  const { errorOf, warningOf, touch } = useProjectForm();
  const label = labelOf(member);
  return (
    <div id={idOf(member)} tabIndex={-1} onBlur={(e) => (e.target === e.currentTarget ? undefined : touch(member))}>
      <FormField
        {...rest}
        label={
          optional ? (
            <>
              {label} <i>- optional</i>
            </>
          ) : (
            label
          )
        }
        errorText={errorOf(member)}
        warningText={warningOf(member)}
      >
        {children}
      </FormField>
    </div>
  );
}
