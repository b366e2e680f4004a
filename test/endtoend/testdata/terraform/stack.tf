# A whole stack as the documentation shows it. The provider finds Gatehouse by
# the variables that `gatehouse env` prints.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {}

variable "token" {
  type      = string
  sensitive = true
  default   = null
}

variable "groups" {
  type    = list(string)
  default = null
}

# Ports in the server's range (--ports). The provider takes a cache whose port
# it was not told, and which is not 6379, for one that must be replaced.
variable "ports" {
  type    = list(number)
  default = [16476, 16477, 16478]
}

variable "strategy" {
  type    = string
  default = "SET"
}

variable "replicas" {
  type    = number
  default = 1
}

variable "access" {
  type    = string
  default = "on ~app:* -@all +get"
}

resource "aws_elasticache_user" "reader" {
  user_id       = "reader"
  user_name     = "reader"
  engine        = "redis"
  access_string = var.access
  passwords     = ["password-of-reader-1"]
}

resource "aws_elasticache_user" "writer" {
  user_id       = "writer"
  user_name     = "writer"
  engine        = "redis"
  access_string = "on ~app:* -@all +set +get"
  authentication_mode {
    type      = "password"
    passwords = ["password-of-writer-1", "password-of-writer-2"]
  }
}

resource "aws_elasticache_user" "iam" {
  user_id       = "robot"
  user_name     = "robot"
  engine        = "redis"
  access_string = "on ~* +@all"
  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user" "nobody" {
  user_id              = "nobody"
  user_name            = "default"
  engine               = "redis"
  access_string        = "off -@all"
  no_password_required = true
}

resource "aws_elasticache_user_group" "team" {
  user_group_id = "team"
  engine        = "redis"
  user_ids      = [aws_elasticache_user.nobody.user_id, aws_elasticache_user.reader.user_id, aws_elasticache_user.iam.user_id]

  lifecycle {
    ignore_changes = [user_ids] # writer is associated below
  }
}

resource "aws_elasticache_user_group_association" "writer" {
  user_group_id = aws_elasticache_user_group.team.user_group_id
  user_id       = aws_elasticache_user.writer.user_id
}

resource "aws_elasticache_subnet_group" "all" {
  name       = "all"
  subnet_ids = ["subnet-0a1b2c3d"]
}

resource "aws_elasticache_parameter_group" "lru" {
  name   = "lru"
  family = "valkey8"
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "token" {
  replication_group_id       = "token"
  port                       = var.ports[0]
  description                = "with an AUTH token and replicas"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = 1 + var.replicas
  automatic_failover_enabled = var.replicas > 0
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  auth_token                 = var.token
  auth_token_update_strategy = var.strategy
  user_group_ids             = var.groups
  subnet_group_name          = aws_elasticache_subnet_group.all.name
  parameter_group_name       = aws_elasticache_parameter_group.lru.name
  apply_immediately          = true
  tags                       = { team = "a" }
}

resource "aws_elasticache_replication_group" "group" {
  replication_group_id       = "group"
  port                       = var.ports[1]
  description                = "with a user group"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = "cache.t4g.micro"
  num_node_groups            = 1
  replicas_per_node_group    = 0
  transit_encryption_enabled = true
  user_group_ids             = [aws_elasticache_user_group.team.user_group_id]
  subnet_group_name          = aws_elasticache_subnet_group.all.name
  apply_immediately          = true
}

resource "aws_elasticache_cluster" "solo" {
  cluster_id                 = "solo"
  port                       = var.ports[2]
  engine                     = "valkey"
  node_type                  = "cache.t4g.micro"
  num_cache_nodes            = 1
  transit_encryption_enabled = true
  apply_immediately          = true
}
