#!/bin/sh
# Makes Temporal's two databases, or brings them up to date; may be run again and again. The rest is in SQL_HOST and its like.
set -eu

for database in temporal temporal_visibility; do
  export SQL_DATABASE="$database"
  temporal-sql-tool create-database
  temporal-sql-tool setup-schema --version 0.0
  temporal-sql-tool update-schema --schema-name "postgresql/v12/${database#temporal_}"
done
