"""What the commands' help says beyond the arguments: what each is for, and examples that work as they stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """Help on one command: paragraphs (lines of an indented one stay apart), and examples with what they do."""

    text: str
    examples: tuple[tuple[str, str], ...]


GROUPS = {
    "look": ("status", "predict", "report", "anomalies"),
    "models": ("retrain", "models", "backtest"),
    "history": ("import", "export"),
    "the daemon and its surroundings": (
        "run", "doctor", "check-config", "install-service", "uninstall-service", "completion", "help"
    ),
}  # fmt: skip
"""Commands by what they are for, in the order of the help."""

ABOUT = """\
Samples this host, learns from its history, and says how probable high load is minutes ahead. Each command below has
a page of its own: monitor COMMAND --help.

Reports go to stdout, everything else to stderr. On a terminal reports are tables in colour; through a pipe they are
plain text, and with --json one document. The options above the commands may stand before or after the command."""

EXAMPLES = (
    ("monitor status", "is it sampling, what does it predict, what serves"),
    ("monitor predict", "the prediction for now, and why"),
    ("monitor report --since 30d", "how good the predictions of a month were"),
    ("monitor --config /etc/monitor/config.toml models list", "the models of the service"),
)

REFERENCE = """\
exit codes:

  0  done
  1  failed
  2  usage or configuration
  3  the gate refused the candidate; the serving model stays
  4  not enough data to train, or to predict from
  5  another retraining holds the lock

files:

  ./config.toml, /etc/monitor/config.toml
      the configuration, the first of them that is there; without any, the defaults
  /var/lib/monitor/monitor.db
      history, models and predictions of root and of the service
  ~/.local/state/monitor/monitor.db
      those of other users
  /etc/systemd/system/monitor.service
      the unit that install-service writes

environment:

  MONITOR_CONFIG
      the configuration, where --config does not name one
  STATE_DIRECTORY, XDG_STATE_HOME
      where history is kept, unless storage.url says so: there, or in "monitor" below the second
  NO_COLOR
      set: tables without colour
  FORCE_COLOR, CLICOLOR_FORCE
      set, and not 0: tables and colours through a pipe too
  TERM
      "dumb" has plain text
  COLUMNS
      the width of help, and of tables, where the terminal does not tell it"""

PAGES = {
    "run": Page(
        "Samples, predicts, stores and answers HTTP until SIGTERM or SIGINT. SIGHUP loads the configuration anew. "
        "Retrainings are started by it, in a process of their own at the lowest priority.",
        (
            ("monitor run", "with the defaults: no configuration, no root"),
            ("monitor --log-format json run --config /etc/monitor/config.toml", "as a service would, by hand"),
        ),
    ),
    "retrain": Page(
        "Progress goes to stderr, the report to stdout. A model that passes the gate is promoted, and a "
        "running daemon serves it at its next tick; one that does not is kept for comparison (exit code 3).",
        (
            ("monitor retrain", "as the daemon does when it is time"),
            ("monitor retrain --since 30d --dry-run", "what a month of history would bring, with nothing changed"),
            ("monitor retrain --json", "the whole report for a program"),
        ),
    ),
    "status": Page(
        "The state of the whole in a dozen lines, read from the database; it needs no running daemon.",
        (
            ("monitor status", "for a person"),
            ("monitor status --json", "for a program: what /api/v1/status answers"),
        ),
    ),
    "predict": Page(
        "How probable high load is within each horizon, how often it usually is, and what moved it most, in words: "
        "beside each its share in the log-odds, positive where it makes high load more probable.",
        (
            ("monitor predict", "for now"),
            ("monitor predict --at 2026-03-01T12:00:00", "as it would have been said then, by the serving model"),
            ("monitor predict --json", "with every share"),
        ),
    ),
    "report": Page(
        "What was predicted against what then happened: Brier score, its skill over the usual rate and over always "
        "saying how it is now, precision and recall of the warnings, how long before they came, and what was said "
        "beside what came. Each prediction waits until its horizon has passed.",
        (
            ("monitor report", "of 7 days"),
            ("monitor report --since 30d --json", "of a month, for a program"),
        ),
    ),
    "models": Page(
        "list shows them, newest first; show ID one of them with the report of its training; rollback lets the one "
        "before serve again, or that of the ID, from the daemon's next tick on. export writes one to a file with its "
        "detector and its report; import registers such a file, and a rollback to it makes it serve.",
        (
            ("monitor models list", "what there is, and which one serves"),
            ("monitor models show 3", "what its training brought"),
            ("monitor models rollback", "back to the one before"),
            ("monitor models export 3 web1.npz", "for another host of the same kind"),
        ),
    ),
    "anomalies": Page(
        "list and show what has been seen; ack ID --as tells whether it is routine (expected) or not to be learned "
        "from (incident); maintenance lists the hours at which nothing is called an anomaly, adds some with --for, "
        "and ends them with --end.",
        (
            ("monitor anomalies list --since 90d", "what there was in a quarter"),
            ("monitor anomalies ack 4 --as incident --note 'a leak in the cache'", "your word on one"),
            ("monitor anomalies maintenance --for 2h --note 'new disks'", "silence from now on"),
        ),
    ),
    "backtest": Page(
        "Learns from the first part of each trace and goes through the rest as the daemon would, retrainings "
        "included. What was said is scored against what came, beside what other tools would have said. No "
        "database is touched.",
        (
            ("monitor backtest trace.csv", "learns from the first 60 % of the rows"),
            ("monitor backtest trace.csv.gz --train-until 2026-03-01 --no-retrain", "one model, held still"),
            ("monitor backtest trace.csv --predictions said.csv --plot said.png", "every figure, and a picture"),
        ),
    ),
    "import": Page(
        "A trace has a column `timestamp` (seconds since the epoch) and any fields of a sample: rows in any order, "
        "an empty cell for a missing value. What is stored already stays. May run beside the daemon.",
        (
            ("monitor import history.csv.gz", "one file"),
            ("monitor import january.csv february.csv --json", "several, one document each"),
        ),
    ),
    "export": Page(
        "The form is the one that import and backtest read. May run beside the daemon.",
        (
            ("monitor export history.csv.gz", "all of it, compressed"),
            ("monitor export --since 7d", "a week, to stdout"),
        ),
    ),
    "check-config": Page(
        "Prints the configuration in effect, every default filled in; or each problem with its file and key, and "
        "ends with 2.",
        (
            ("monitor check-config", "the one that would be used"),
            ("monitor check-config new.toml", "before it is put in place"),
        ),
    ),
    "doctor": Page(
        "Looks at kernel figures, permissions, clock, disk, database, port and model, while the daemon runs or not; "
        "changes nothing. Under what is wrong stands how to mend it; ends with 1 where something failed.",
        (
            ("monitor doctor", "before asking somebody"),
            ("monitor --config /etc/monitor/config.toml doctor", "of the service; as root it sees all"),
        ),
    ),
    "install-service": Page(
        "Writes the systemd unit for the program that runs it and, where there is none, the configuration; then says "
        "what to type next. Needs root. To run it again is safe.",
        (
            ("monitor install-service --print", "only look at the unit"),
            ("monitor install-service", "put it in place"),
        ),
    ),
    "uninstall-service": Page(
        "Stops the service and removes its unit; names what it leaves. Needs root.",
        (("monitor uninstall-service", "stop and remove it"),),
    ),
    "completion": Page(
        "Prints a script that lets the shell complete commands, options, choices and file names. Where it goes:\n\n"
        "  bash  monitor completion bash > /etc/bash_completion.d/monitor\n"
        "  zsh   monitor completion zsh > /usr/local/share/zsh/site-functions/_monitor\n"
        "  fish  monitor completion fish > ~/.config/fish/completions/monitor.fish",
        (
            ("monitor completion bash", "the script for bash"),
            ("monitor completion zsh", "for zsh"),
            ("monitor completion fish", "for fish"),
        ),
    ),
    "help": Page(
        "Prints the page of a command, or this list of them.",
        (
            ("monitor help", "all commands"),
            ("monitor help retrain", "one of them"),
        ),
    ),
}
