import 'reflect-metadata';
import { Body, Controller, HttpCode, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { readSettings } from '@app/configuration';
import { runProcess } from '@app/observability';

/** The minimal route that stores its input: one INSERT. */
@Controller('v1/emails')
class BareController {
  constructor(@Inject(Pool) private readonly pool: Pool) {}

  @Post()
  @HttpCode(202)
  async take(@Body() body: unknown): Promise<{ id: string }> {
    const id = uuidv7();
    const text = 'INSERT INTO bench_job (id, payload) VALUES ($1, $2)';
    await this.pool.query({ name: 'insert', text, values: [id, JSON.stringify(body)] });
    return { id };
  }
}

const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 4, keepAlive: true });

@Module({ controllers: [BareController], providers: [{ provide: Pool, useValue: pool }] })
class BareModule {}

void runProcess(
  'bare-server',
  () => readSettings(['PORT', 'HOST', 'SHUTDOWN_GRACE_MS']),
  async ({ PORT, HOST }) => {
    const app = await NestFactory.create<NestExpressApplication>(BareModule, {
      bodyParser: false,
      forceCloseConnections: true,
      logger: ['error', 'warn'],
    });
    app.useBodyParser('json', { limit: '256kb' });
    await app.listen(PORT, HOST);
    return {
      stop: async () => {
        await app.close();
        await pool.end();
      },
    };
  },
);
