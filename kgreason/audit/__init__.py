"""What a score rests on: one card of controls, leakage, costs and a verdict in words."""
