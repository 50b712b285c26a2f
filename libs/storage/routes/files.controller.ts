import { pipeline } from 'node:stream/promises';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Pool } from 'pg';
import parseRange from 'range-parser';
import { readFileRecord, type FileRecord, FileStore, type ByteRange } from '@app/storage';
import { Open, isUuid, Problem, quoted, ProblemResponse } from '@app/http';
import { FileLinks } from './file-links';

@ApiTags('files')
@Open() // The signed link gives the right to read.
@Controller('v1/files')
export class FilesController {
  constructor(
    private readonly pool: Pool,
    private readonly store: FileStore,
    private readonly links: FileLinks,
  ) {}

  @Get(':id')
  @ApiOperation({
    summary: 'Download a file',
    description: "Use the signed link in a job's result, which is valid for five minutes. One `Range` per request.",
  })
  @ApiQuery({ name: 'expires', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'signature', required: false, schema: { type: 'string' } })
  @ApiResponse({ status: 200, description: 'The file.' })
  @ApiResponse({ status: 206, description: 'The requested range of the file.' })
  @ProblemResponse(403, '`link_expired`, or `link_invalid`: not signed for this method and path.')
  @ProblemResponse(404, 'There is no such file any more.')
  @ProblemResponse(416, 'The file has no such range.')
  @ProblemResponse(503, 'The database or the file store cannot be used.')
  async download(
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    // Links are signed for GET. The same link is valid for HEAD.
    this.links.check('GET', id, query);
    const file = isUuid(id) ? await readFileRecord(this.pool, id) : undefined;
    if (!file) throw fileNotFound(id);
    const range = rangeOf(request, file);
    const opened = await this.store.open(file.key, range);
    if (!opened) throw fileNotFound(id);
    if (range) response.status(206).set('Content-Range', `bytes ${range.start}-${range.end}/${file.bytes}`);
    response.attachment(file.name).set({
      'Content-Type': file.contentType,
      'Content-Length': String(range ? range.end - range.start + 1 : file.bytes),
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'private, no-store',
    });
    if (request.method === 'HEAD') {
      opened.stream.destroy();
      response.end();
      return;
    }
    try {
      await pipeline(opened.stream, response);
    } catch (error) {
      const isClosedByCaller = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
      if (!response.destroyed || !isClosedByCaller) throw error;
    }
  }
}

/**
 * Reads the Range header.
 * @returns the range; undefined for the whole file, also if the header may be ignored (RFC 9110, 14.2)
 * @throws Problem 416
 */
function rangeOf({ headers }: Request, { bytes }: FileRecord): ByteRange | undefined {
  if (headers.range === undefined || headers['if-range'] !== undefined) return undefined;
  const ranges = parseRange(bytes, headers.range);
  if (ranges === -1) {
    const detail = `Expected a range of its ${bytes} bytes, got ${quoted(headers.range)}.`;
    const ofWhole = { 'Content-Range': `bytes */${bytes}` };
    throw new Problem(416, 'range_not_satisfiable', 'The file has no such range', detail, undefined, ofWhole);
  }
  return ranges !== -2 && ranges.type === 'bytes' && ranges.length === 1 ? ranges[0] : undefined;
}

function fileNotFound(id: string): Problem {
  return new Problem(404, 'file_not_found', 'There is no such file', `No file has the id ${quoted(id)} any more.`);
}
