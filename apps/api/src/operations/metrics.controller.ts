import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Registry } from 'prom-client';
import { Roles } from '@app/http';

@ApiTags('operations')
@Roles('viewer')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly registry: Registry) {}

  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiProduces('text/plain')
  @ApiOperation({
    summary: 'The metrics of this API process, for Prometheus. The relay and the workers serve theirs on HEALTH_PORT',
  })
  read(): Promise<string> {
    return this.registry.metrics();
  }
}
