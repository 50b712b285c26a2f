import { jobOptions } from '@app/contracts';
import { type resizeImage } from '@app/features/image';
import { invalidBody, type FieldError, optionErrors, toOpenApi, type JobBody } from '@app/http';
import type { Upload } from './upload-intake';

/**
 * Builds the job's body from an upload and its form.
 * @param form the fields of the form beside the file
 * @throws Problem 400 that names each invalid field
 */
export function imageBody(upload: Upload | undefined, form: unknown): JobBody<typeof resizeImage> {
  const { options: text, ...others } = (form ?? {}) as Record<string, unknown>;
  // Text in the field `file` is not an unknown field. The check below reports the missing file.
  const unknown = Object.keys(others).filter((path) => path !== 'file');
  const faults: FieldError[] = unknown.map((path) => ({
    path,
    message: 'is not a field of this form',
    rule: 'unknown_field',
  }));
  if (!upload) {
    const message = 'expected an image as a file of a form, sent as multipart/form-data';
    faults.push({ path: 'file', message, rule: 'file_missing' });
  }
  const rawOptions = text === undefined ? undefined : parseJson(text);
  const options = jobOptions.optional().safeParse(rawOptions);
  faults.push(...optionErrors(options.error?.issues ?? []));
  if (!upload || faults.length > 0) throw invalidBody(faults);
  return {
    payload: { upload: upload.key },
    options: options.data,
    // The idempotency key compares the content, because each upload has its own storage key.
    raw: { sha256: upload.sha256, options: rawOptions },
  };
}

/** @returns the parsed JSON, or the text itself if it is not JSON; the schema then refuses it */
function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    return text;
  }
}

export const imageFormSchema = {
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', format: 'binary', description: 'A JPEG, PNG, WebP, AVIF or GIF of at most 10 MiB.' },
    options: { ...toOpenApi(jobOptions), description: 'As JSON.' },
  },
};
