"""The engine: it knows no particular method, metric, dataset or report."""
