"""Where metrics come from, and the language of conditions over them."""

from fairway.adapters.metrics.conditions import CelConditions
from fairway.adapters.metrics.prometheus import PrometheusSource
from fairway.adapters.metrics.settings import PrometheusSettings

__all__ = ["CelConditions", "PrometheusSettings", "PrometheusSource"]
