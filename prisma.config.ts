import { defineConfig } from 'prisma/config';

// The address is only needed by `prisma migrate` and `prisma studio`; the apps bring their own pool.
export default defineConfig({
  schema: 'prisma/schema',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
