import { Body, Controller, Res, UploadedFile, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { jobOptions } from '@app/contracts';
import { resizeImage } from '@app/features/image';
import {
  Roles,
  CallerOf,
  type Caller,
  invalidBody,
  type FieldError,
  optionErrors,
  toOpenApi,
  type JobBody,
  JobIntake,
  AcceptsJob,
  answerAccepted,
  ProblemResponse,
  type JobView,
} from '@app/http';
import { ReceiveUpload } from './receive-upload.interceptor';
import { UploadIntake, type Upload } from './upload-intake';

const imageFormSchema = {
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', format: 'binary', description: 'A JPEG, PNG, WebP, AVIF or GIF of at most 10 MiB.' },
    options: { ...toOpenApi(jobOptions), description: 'As JSON.' },
  },
};

@ApiTags('jobs')
@Roles('user')
@Controller('v1/images')
export class ImagesController {
  constructor(
    private readonly jobs: JobIntake,
    private readonly uploads: UploadIntake,
  ) {}

  @ProblemResponse(503, 'The file store cannot be used.')
  @AcceptsJob(resizeImage, 'Make smaller variants of an image')
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: imageFormSchema })
  @UseInterceptors(ReceiveUpload)
  async resize(
    @UploadedFile() upload: Upload | undefined,
    @Body() form: unknown,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const body = imageBody(upload, form);
    const job = await this.jobs.enqueue(resizeImage, body, caller);
    // The job of the first request uses the file of the first request, so this one is not needed.
    if (job.replayed) await this.uploads.remove(body.payload.upload).catch(() => undefined);
    return answerAccepted(job, response);
  }
}

/**
 * Builds the job's body from an upload and its form.
 * @param form the fields of the form beside the file
 * @throws Problem 400 that names each invalid field
 */
function imageBody(upload: Upload | undefined, form: unknown): JobBody<typeof resizeImage> {
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
