"""Actions of operators over HTTP: verdicts, notes and maintenance windows."""
