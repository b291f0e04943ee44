#!/bin/sh
# Creates Temporal's two databases, or updates them; can be run again. The connection comes from SQL_HOST and related
# variables.
set -eu

for database in temporal temporal_visibility; do
  export SQL_DATABASE="$database"
  temporal-sql-tool create-database
  temporal-sql-tool setup-schema --version 0.0
  temporal-sql-tool update-schema --schema-name "postgresql/v12/${database#temporal_}"
done
