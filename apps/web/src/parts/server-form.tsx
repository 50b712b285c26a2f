import { useEffect, useRef, useState, type SubmitEvent, type ReactNode } from 'react';
import { ProblemError } from '../api/problem';
import { useText } from '../text/language';
import { FaultsProvider } from './field';
import { ProblemNote } from './problem-note';
import { readForm } from '../jobs/read-form';

/**
 * A form without validation rules. It sends its fields unchanged and shows each error of the server beside its field.
 * It has one outcome at a time, so a success message never stands beside the error of a later request.
 */
export function ServerForm({ submitLabel, children, onSubmit }: ServerFormProps) {
  const text = useText();
  const form = useRef<HTMLFormElement>(null);
  const [{ error, isAboutFields, done }, setOutcome] = useState<Outcome>(none);
  const [isSending, setSending] = useState(false);
  const faults = error instanceof ProblemError ? error.errors : [];

  useEffect(() => {
    // Moves the focus to the first invalid field, so that a screen reader announces it too.
    const invalid = form.current?.querySelector<HTMLElement>('[aria-invalid=true]');
    invalid?.closest('details')?.setAttribute('open', '');
    invalid?.focus();
  }, [error]);

  async function send(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const { elements } = event.currentTarget;
    setSending(true);
    setOutcome((last) => ({ ...last, done: undefined }));
    try {
      setOutcome({ ...none, done: await onSubmit(readForm(event.currentTarget)) });
    } catch (error) {
      const named = error instanceof ProblemError ? error.errors : [];
      setOutcome({ ...none, error, isAboutFields: named.some(({ path }) => elements.namedItem(path) !== null) });
    } finally {
      setSending(false);
    }
  }

  return (
    <form
      ref={form}
      onSubmit={(event) => void send(event)}
      // After a change, the form no longer shows what was saved.
      onInput={() => done !== undefined && setOutcome(none)}
      noValidate
    >
      <FaultsProvider value={faults}>{children}</FaultsProvider>
      {error !== undefined &&
        (isAboutFields ? (
          <p className="note note-bad" role="alert">
            {text.form.faults(faults.length)}
          </p>
        ) : (
          <ProblemNote error={error} />
        ))}
      <div className="form-end">
        <button type="submit" className="button-main" disabled={isSending}>
          {isSending ? text.send.sending : submitLabel}
        </button>
        <span role="status">{done}</span>
      </div>
    </form>
  );
}

interface Outcome {
  readonly error: unknown;
  /** Whether the form has a field for at least one of the errors. */
  readonly isAboutFields: boolean;
  /** The success message. */
  readonly done: string | undefined;
}

const none: Outcome = { error: undefined, isAboutFields: false, done: undefined };

interface ServerFormProps {
  readonly submitLabel: string;
  readonly children: ReactNode;
  /**
   * @returns the success message, if there is one
   * @throws ProblemError whose errors the form shows
   */
  readonly onSubmit: (body: Record<string, unknown>) => Promise<string | undefined>;
}
