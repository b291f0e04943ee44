# A bundle as an image, which nodes fetch by its digest (docs/deploy.md, section "Images"). From the folder that contains
# the bundle's folder:
#   docker build --file <project>/infra/docker/bundle.Dockerfile --build-arg BUNDLE=pixart-icons --tag bundles/pixart-icons .
FROM scratch
ARG BUNDLE
COPY ${BUNDLE} /${BUNDLE}
