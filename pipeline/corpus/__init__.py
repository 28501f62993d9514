"""What is planned and rendered: people, clips, portraits' register, sheets."""
