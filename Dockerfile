# The example site with slots around it. For a site of your own, see docs/operating.md.

FROM node:24-slim AS build
WORKDIR /app
# What is installed depends on these files only, so an edit elsewhere leaves this layer in the cache. The
# install scripts wait: `prepare` compiles src, which is not here yet.
COPY package.json package-lock.json ./
COPY examples/blog/package.json examples/blog/
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts
COPY examples examples

FROM node:24-slim
ENV NODE_ENV=production \
    PM2_HOME=/home/node/.pm2 \
    PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
# The code is root's. The site's folder and slots/ are written to: by builds and by the controller.
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ecosystem.config.cjs slots.config.ts ./
COPY bin bin
COPY --from=build --chown=node:node /app/examples examples
RUN install --directory --owner=node --group=node slots && ln -s /app/bin/slots.js /usr/local/bin/slots
USER node
# The container starts with this release at once, and builds only if the content it finds differs.
RUN slots build

VOLUME ["/app/examples/blog/src/content", "/app/slots"]
EXPOSE 4321
# Healthy: the controller answers, a proxy worker runs, and the slot that visitors see is well.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD slots status --json | node -e \
  "const s = JSON.parse(fs.readFileSync(0)); process.exit(s.proxy.workers.length > 0 && s.slots[s.active].healthy ? 0 : 1)"
CMD ["pm2-runtime", "start", "ecosystem.config.cjs"]
