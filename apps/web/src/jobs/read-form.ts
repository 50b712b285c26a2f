/**
 * Reads a form as the body of a request. The name `options.delayMs` becomes a field of the object `options`. A number
 * field becomes a number, a local time a moment in UTC, and a field with `data-json` what its JSON says. Leaves out an
 * empty field that is optional, a number, a date, a file or a select. Sends any other empty field as an empty string, and
 * so also a number or a date that is not complete, so that the server reports the error.
 */
export function readForm(form: HTMLFormElement): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of form.elements) {
    const isField =
      field instanceof HTMLInputElement || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement;
    if (!isField || field.name === '') continue;
    const isEmpty = field.value === '' && !field.validity.badInput;
    if (isEmpty && (field.dataset['optional'] !== undefined || !isWritten(field))) continue;
    setAt(body, field.name.split('.'), valueOf(field));
  }
  return body;
}

/** Converts a body with a file to multipart form data: files and strings unchanged, everything else as JSON. */
export function toMultipart(body: Readonly<Record<string, unknown>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(body)) {
    form.append(name, value instanceof File || typeof value === 'string' ? value : JSON.stringify(value));
  }
  return form;
}

/** Whether a field is typed as text. An empty one is sent as an empty string. */
function isWritten({ type }: { type: string }): boolean {
  return !['number', 'date', 'datetime-local', 'file', 'select-one'].includes(type);
}

function valueOf(field: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement): unknown {
  if (field.validity.badInput) return '';
  if (field.type === 'number') return Number(field.value);
  if (field.type === 'datetime-local') return new Date(field.value).toISOString();
  if (field.dataset['json'] !== undefined) return parsed(field.value);
  if (field instanceof HTMLInputElement && field.type === 'file') return field.files?.[0];
  return field.value;
}

/** Sends text that is not JSON unchanged, so that the server reports the error. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function setAt(body: Record<string, unknown>, [first, ...rest]: string[], value: unknown): void {
  if (first === undefined) return;
  if (rest.length === 0) body[first] = value;
  else setAt((body[first] ??= {}) as Record<string, unknown>, rest, value);
}
