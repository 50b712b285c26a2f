import { createContext, useContext, useId, type ComponentProps, type ReactNode } from 'react';
import type { FieldError } from '../api/problem';
import type { Dictionary } from '../text/en';
import { useText } from '../text/language';

/** The errors of the form that contains the fields. */
const Faults = createContext<readonly FieldError[]>([]);

export const FaultsProvider = Faults;

interface FieldProps {
  readonly label: string;
  /** The server's path of the field, such as `options.delayMs`. An error is shown at the field with its path. */
  readonly name: string;
  readonly hint?: string;
  readonly isOptional?: boolean;
  readonly action?: ReactNode;
}

export function TextField({ label, name, hint, isOptional, action, ...input }: FieldProps & ComponentProps<'input'>) {
  const field = useField({ label, name, hint, isOptional, action });
  return field.around(<input {...input} {...field.attributes} />);
}

export function TextArea({ label, name, hint, isOptional, ...input }: FieldProps & ComponentProps<'textarea'>) {
  const field = useField({ label, name, hint, isOptional });
  return field.around(<textarea rows={4} {...input} {...field.attributes} />);
}

export function SelectField({
  label,
  name,
  hint,
  isOptional,
  children,
  ...input
}: FieldProps & ComponentProps<'select'>) {
  const field = useField({ label, name, hint, isOptional });
  return field.around(
    <select {...input} {...field.attributes}>
      {children}
    </select>,
  );
}

function useField({ label, name, hint, isOptional, action }: WithUndefined<FieldProps>) {
  const text = useText();
  const id = useId();
  const faults = useContext(Faults).filter(({ path }) => path === name);
  const [hintId, faultId] = [`${id}hint`, `${id}fault`];
  const described = [hint !== undefined && hintId, faults.length > 0 && faultId].filter(Boolean).join(' ');
  return {
    attributes: {
      id,
      name,
      ...(isOptional && { 'data-optional': '' }),
      'aria-invalid': faults.length > 0,
      ...(described !== '' && { 'aria-describedby': described }),
    },
    around: (control: ReactNode) => (
      <div className="field">
        <label htmlFor={id}>
          {label}
          {isOptional && <span className="optional"> {text.form.optional}</span>}
        </label>
        {action === undefined ? (
          control
        ) : (
          <div className="with-action">
            {control}
            {action}
          </div>
        )}
        {faults.length > 0 && (
          <p className="fault" id={faultId}>
            {faults.map((fault) => faultText(text, fault)).join('; ')}
          </p>
        )}
        {hint !== undefined && (
          <p className="hint" id={hintId}>
            {hint}
          </p>
        )}
      </div>
    ),
  };
}

/** Returns the error in the language of the page, or the server's message if the language has no text for the rule. */
export function faultText({ faults }: Dictionary, { rule = '', params = {}, message }: FieldError): string {
  return faults[rule]?.(params) ?? message;
}

type WithUndefined<Type> = { [Key in keyof Type]: Type[Key] | undefined } & { label: string; name: string };
