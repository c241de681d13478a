"""Architecture x network: shapes inferred, folding checked, units and streams laid out."""
