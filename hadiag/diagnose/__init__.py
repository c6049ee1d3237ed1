"""From findings to a verdict: incidents, causal graph, ranked explanations, chain, impact."""
