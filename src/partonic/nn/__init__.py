"""Networks and their training, knowing nothing of physics: flows, attention, losses, scaling, model folders."""
