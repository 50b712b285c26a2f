import { Body, Controller, Res, UploadedFile, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { resizeImage } from '@app/features/image';
import { Roles, CallerOf, type Caller, JobIntake, AcceptsJob, ProblemResponse } from '@app/http';
import type { JobView } from '@app/http';
import { imageBody, imageFormSchema } from './image-body';
import { ReceiveUpload } from './receive-upload.interceptor';
import { UploadIntake, type Upload } from './upload-intake';

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
    return this.jobs.answer(job, response);
  }
}
