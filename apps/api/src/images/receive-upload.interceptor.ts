import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, RequestHandler, Response } from 'express';
import multer, { MulterError } from 'multer';
import { catchError, type Observable } from 'rxjs';
import { EnqueueRefused } from '@app/messaging';
import { invalidBody, Problem } from '../http/problem';
import { maxUploadBytes, UploadIntake, uploadTooLarge, type Upload } from './upload-intake';

/** One file and the options. What there is beyond that is named where the form is read. */
const limits = { files: 1, fields: 10, parts: 11, fieldSize: 10_000, fieldNameSize: 100, fieldNestingDepth: 0 };

/** What a form has beside its file: boundaries, headers, fields. */
const formSlackBytes = 128 * 1024;

/** Of busboy, which reads the form for multer, and of multer where the caller has gone. They have no codes. */
const aboutTheForm =
  /^(Multipart: |Malformed |Missing Content-Type|Unsupported content type|Unexpected end of |Request )/;

/** Before the route's handler runs, the file of the form is stored; if the handler refuses, it is removed again. */
@Injectable()
export class ReceiveUpload implements NestInterceptor {
  private readonly receive: RequestHandler;

  constructor(private readonly intake: UploadIntake) {
    this.receive = multer({ storage: intake as unknown as multer.StorageEngine, limits }).single('file');
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    // Said before it has been sent: multer would read to the end before it answered.
    if (Number(request.headers['content-length']) > maxUploadBytes + formSlackBytes) throw uploadTooLarge();
    await new Promise<void>((resolve, reject) => {
      this.receive(request, http.getResponse<Response>(), (error: unknown) => {
        if (error) reject(problemOf(error));
        else resolve();
      });
    });
    return next.handle().pipe(catchError((error: unknown) => this.undo(request, error)));
  }

  /** After any other error the job may be there all the same, and need its file. */
  private async undo(request: Request, error: unknown): Promise<never> {
    const isRefusal = error instanceof Problem || error instanceof EnqueueRefused;
    const upload = request.file as Upload | undefined;
    if (isRefusal && upload) await this.intake.remove(upload.key).catch(() => undefined);
    throw error;
  }
}

function problemOf(error: unknown): Error {
  if (error instanceof MulterError) return aboutAPart(error);
  const { message } = error as Error;
  if (aboutTheForm.test(message)) return invalidBody([{ path: '', message: `the form cannot be read: ${message}` }]);
  return error as Error;
}

function aboutAPart({ code, field = '', message }: MulterError): Problem {
  const isFile = code === 'LIMIT_UNEXPECTED_FILE' || code === 'LIMIT_FILE_COUNT';
  return invalidBody([
    { path: field || (isFile ? 'file' : ''), message: isFile ? 'expected one file, in the field "file"' : message },
  ]);
}
