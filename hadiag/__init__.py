"""hadiag: log and incident diagnostics for Pacemaker, Corosync and pcs clusters."""

__version__ = "0.1.0"
