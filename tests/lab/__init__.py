"""A laboratory: real corosync and pacemaker nodes in namespaces of one machine, to break them and to record what they log."""
