import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import multer, { MulterError } from 'multer';
import { catchError, type Observable } from 'rxjs';
import { EnqueueRefused } from '@app/messaging';
import { uploadLimits, BodyReceiver, invalidBody, Problem } from '@app/http';
import { UploadIntake, type Upload } from './upload-intake';

/** The limits of multer: one file, and the options. `imageBody` reports unknown fields. */
const limits = { files: 1, fields: 10, parts: 11, fieldSize: 10_000, fieldNameSize: 100, fieldNestingDepth: 0 };

/**
 * Messages of busboy, which parses the form for multer, and of multer if the caller has disconnected. They have no
 * codes.
 */
const aboutTheForm =
  /^(Multipart: |Malformed |Missing Content-Type|Unsupported content type|Unexpected end of |Request )/;

const receiver = new BodyReceiver(uploadLimits);

/** Stores the file of the form before the route's handler runs. Removes it again if the handler refuses the request. */
@Injectable()
export class ReceiveUpload implements NestInterceptor {
  constructor(private readonly intake: UploadIntake) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    if (request.is('multipart')) await receiver.receive(request, response, () => this.readForm(request, response));
    return next.handle().pipe(catchError((error: unknown) => this.undo(request, error)));
  }

  private async readForm(request: Request, response: Response): Promise<void> {
    const options = { storage: this.intake as unknown as multer.StorageEngine, limits, streamHandler: pipeUndrained };
    try {
      await promisify(multer(options).single('file'))(request, response);
    } catch (error) {
      throw problemOf(error as Error);
    }
  }

  /** Removes the file after a refusal. After any other error the job may exist and need its file. */
  private async undo(request: Request, error: unknown): Promise<never> {
    const isRefusal = error instanceof Problem || error instanceof EnqueueRefused;
    const upload = request.file as Upload | undefined;
    if (isRefusal && upload) await this.intake.remove(upload.key).catch(() => undefined);
    throw error;
  }
}

/**
 * Makes multer report an error at once. multer reads a refused body to its end before it reports the error, but stops
 * if the body closes. So this function emits 'close' as soon as multer detaches the parser.
 */
function pipeUndrained(request: Request, parser: Writable): void {
  parser.once('unpipe', () => {
    if (!request.readableEnded) setImmediate(() => request.emit('close'));
  });
  request.pipe(parser);
}

function problemOf(error: Error): Error {
  const { message } = error;
  if (error instanceof MulterError) {
    const isFile = error.code === 'LIMIT_UNEXPECTED_FILE' || error.code === 'LIMIT_FILE_COUNT';
    const path = error.field || (isFile ? 'file' : '');
    return invalidBody([{ path, message: isFile ? 'expected one file, in the field "file"' : message }]);
  }
  if (aboutTheForm.test(message)) return invalidBody([{ path: '', message: `the form cannot be read: ${message}` }]);
  return error;
}
