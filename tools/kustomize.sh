#!/bin/sh
# The observer's configuration as a ConfigMap holds it: kustomize takes no file from outside its folder. A pod listens to
# its cluster, and the address books are the image's.
set -eu
cd "$(dirname "$0")/.."
echo "# Made of config/cexwatch.yaml by make docs. An overlay replaces it: docs/deployment.md."
sed -e '/^# yaml-language-server/d' -e 's|^listen: 127\.0\.0\.1:9877  |listen: 0.0.0.0:9877  |' \
  -e 's|^reserves: reserves  |reserves: /etc/cexwatch/reserves  |' config/cexwatch.yaml
