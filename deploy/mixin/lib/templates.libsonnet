// Go templates in the annotations of alerts: queries about the host that an alert is about.
{
  local labels = '$labels.job $labels.instance',

  // Query with the verbs %q for the label values of `arguments`.
  query(expr, arguments=labels):: 'query (printf "%s" %s)' % [expr, arguments],

  // First value of a query, with a format such as `humanize1024`.
  value(expr, format):: '{{ %s | first | value | %s }}' % [self.query(expr), format],

  // Results of a query, separated by commas; `item` is the template of one result.
  list(expr, item, arguments=labels)::
    '{{ range $i, $result := %s }}{{ if $i }}, {{ end }}%s{{ end }}' % [self.query(expr, arguments), item],
}
