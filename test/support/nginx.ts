import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/postgres/free-port';
import { until } from './until';

/**
 * nginx as docs/operations.md configures it, in front of one API process.
 * @param more directives of its `http` block
 */
export async function startNginx(apiUrl: string, more = ''): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    join(folder, 'nginx.conf'),
    // The worker of nginx writes bodies into this folder, so it runs as the user who has created the folder.
    `user ${userInfo().username};
     worker_processes 1;
     daemon off;
     pid ${folder}/nginx.pid;
     events { worker_connections 1024; }
     http {
       access_log off;
       ${more}
       ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
       upstream api { server ${new URL(apiUrl).host}; keepalive 64; }
       server {
         listen 127.0.0.1:${port};
         client_max_body_size 11m;
         location / {
           proxy_pass http://api;
           proxy_http_version 1.1;
           proxy_set_header Connection "";
           proxy_set_header Host $http_host;
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
           proxy_set_header X-Forwarded-Proto $scheme;
         }
       }
     }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const url = `http://127.0.0.1:${port}`;
  await until(
    'nginx answers',
    async () => {
      if (nginx.exitCode !== null) throw new Error(`nginx ended: ${said}`);
      return fetch(`${url}/health/live`).catch(() => undefined);
    },
    (answer) => answer?.status === 200,
  );
  return {
    url,
    stop: async () => {
      const ended = once(nginx, 'exit');
      nginx.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
