import { jobOptions } from '@app/contracts';
import { type resizeImage } from '@app/features/image';
import { invalidBody, type FieldError, optionErrors, toOpenApi, type JobBody } from '@app/http';
import type { Upload } from './upload-intake';

/**
 * @param form the fields of the form beside the file
 * @throws Problem 400 that names every field at fault
 */
export function imageBody(upload: Upload | undefined, form: unknown): JobBody<typeof resizeImage> {
  const { options: text, ...others } = (form ?? {}) as Record<string, unknown>;
  // A text in the field of the file is no file, and that is what is said of it.
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
    // The same bytes are the same request, wherever they were put.
    raw: { sha256: upload.sha256, options: rawOptions },
  };
}

/** @returns text that is none as it is, which is no object of options */
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
