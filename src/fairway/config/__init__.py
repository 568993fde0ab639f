"""`fairway.yaml` into frozen specifications, or all problems at once with file, line, column and key path.

`read` and `parse` make a tree that knows positions; `models` hold types, ranges and defaults; `rules` hold what
concerns several keys; `complaints` words what pydantic found; `translate` makes the domain's values. Which adapters
exist is the catalog's word, passed in as `Known`.
"""

from fairway.config.known import Known
from fairway.config.load import load, load_bench, load_pipeline
from fairway.config.problems import ConfigError, Problem, render
from fairway.config.schema import json_schema

__all__ = ["ConfigError", "Known", "Problem", "json_schema", "load", "load_bench", "load_pipeline", "render"]
