// Capacity panels of the host dashboard: file systems and memory.
local panels = import '../lib/panels.libsonnet';

local metric = panels.metric;
local query = panels.query;

[
  panels.timeSeries(
    'Probability of exhaustion',
    'Probability that a file system passes its limit within a day, and the memory within an hour.',
    [
      query(metric('filesystem_full_probability'), '{{mountpoint}}'),
      query(metric('memory_exhaustion_probability'), 'memory'),
    ],
    'percentunit',
    field=panels.ratio
  ),
  panels.timeSeries(
    'File system usage',
    'Use of the file systems, and of their inodes.',
    [
      query(metric('filesystem_usage_ratio'), '{{mountpoint}}'),
      query(metric('filesystem_inode_usage_ratio'), '{{mountpoint}} inodes'),
    ],
    'percentunit',
    field=panels.ratio
  ),
  panels.timeSeries(
    'Time until full',
    'Expected time until a file system passes its limit. Empty if that is not expected within 90 days.',
    [query(metric('filesystem_full_seconds'), '{{mountpoint}}')],
    's',
    field={ min: 0 }
  ),
  panels.timeSeries(
    'Brier skill of the capacity predictions',
    'Skill of the model and of the baselines over the base rate, last 28 days. Empty until a resource was exhausted.',
    [query(metric('capacity_brier_skill'), '{{resource}} {{predictor}}')],
    'none',
    field={ max: 1 }
  ),
  panels.timeSeries(
    'Errors of the capacity predictions',
    'Brier score and expected calibration error, last 28 days; 0 is best.',
    [
      query(metric('capacity_brier_score'), '{{resource}} {{predictor}} Brier'),
      query(metric('capacity_calibration_error'), '{{resource}} {{predictor}} calibration'),
    ],
    'none',
    field={ min: 0 }
  ),
  panels.timeSeries(
    'Outcomes of the capacity predictions',
    'Predictions of the last 28 days by outcome.',
    [query(metric('capacity_predictions'), '{{resource}} {{outcome}}')],
    'short',
    field={ min: 0 }
  ),
]
