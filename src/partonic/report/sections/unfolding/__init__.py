"""What the report says of a trained unfolding and of its samples."""
