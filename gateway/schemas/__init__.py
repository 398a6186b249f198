"""The models of the REST interface under the seed's names, one topic a file."""

from .aggregation import AggregationQuery, MetricsAggregationResponse
from .backup import BackupRequest, BackupResponse
from .base import STEP_MS, ProblemDetails
from .historical import HistoricalAnalysisResponse, HistoricalQuery
from .insights import (
    ActionableRecommendation,
    GenerateResponse,
    Insight,
    InsightsQuery,
    InsightsSummary,
    SystemInsightsResponse,
)
from .metrics import (
    BatchResponse,
    ColumnsRequest,
    CustomMetricRequest,
    DataQuery,
    ExportQuery,
    ExportResponse,
    InfluxWriteQuery,
    MetricDataResponse,
    MetricsQuery,
    MetricsResponse,
    RecordMetricResponse,
    RowsRequest,
    WriteQuery,
)
from .status import (
    AnalyticsHealthResponse,
    AnalyticsStatusResponse,
    FeatureChangeResponse,
    FeatureRequest,
    FeaturesResponse,
    HealthDocument,
    ProbeResponse,
)
from .trends import (
    MetricTrendData,
    PerformanceAlert,
    PerformanceTrendsResponse,
    TrendsQuery,
    TrendsSummary,
)

__all__ = [
    "STEP_MS",
    "ActionableRecommendation",
    "AggregationQuery",
    "AnalyticsHealthResponse",
    "AnalyticsStatusResponse",
    "BackupRequest",
    "BackupResponse",
    "BatchResponse",
    "ColumnsRequest",
    "CustomMetricRequest",
    "DataQuery",
    "ExportQuery",
    "ExportResponse",
    "FeatureChangeResponse",
    "FeatureRequest",
    "FeaturesResponse",
    "GenerateResponse",
    "HealthDocument",
    "HistoricalAnalysisResponse",
    "HistoricalQuery",
    "InfluxWriteQuery",
    "Insight",
    "InsightsQuery",
    "InsightsSummary",
    "MetricDataResponse",
    "MetricTrendData",
    "MetricsAggregationResponse",
    "MetricsQuery",
    "MetricsResponse",
    "PerformanceAlert",
    "PerformanceTrendsResponse",
    "ProbeResponse",
    "ProblemDetails",
    "RecordMetricResponse",
    "RowsRequest",
    "SystemInsightsResponse",
    "TrendsQuery",
    "TrendsSummary",
    "WriteQuery",
]
